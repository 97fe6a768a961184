"""Compare CenterFace with what OpenCV ships: Haar cascades and the HOG people detector.

Run with ``python tests/benchmarks/face_detectors.py``; prints a Markdown table. Pictures come
out of published wheels: two portraits under 15 changes each, montages of 25 x 25 faces (LFW)
enlarged on textures, and eleven pictures without a face. A find counts when its box shares
IoU >= 0.4 with a noted box (0.25 for the montages, whose noted box is the whole patch).
"""

import itertools
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from deixis.base.boxes import Box
from deixis.tools.centerface import CenterFace
from deixis.weights.model_files import resolve

SKIMAGE = "pypi:scikit-image==0.26.0/skimage/data/"
HOPPER = (
    "pypi:matplotlib==3.11.2/matplotlib/mpl-data/sample_data/grace_hopper.jpg"
    "#sha256=a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"
)
SHA256 = {
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "brick.png": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    "camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "coins.png": "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba",
    "grass.png": "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    "gravel.png": "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
    "horse.png": "c7fb60789fe394c485f842291ea3b21e50d140f39d6dcb5fb9917cc178225455",
    "hubble_deep_field.jpg": "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
    "lfw_subset.npy": "9560ec2f5edfac01973f63a8a99d00053fecd11e21877e18038fbe500f8e872c",
    "moon.png": "78739619d11f7eb9c165bb5d2efd4772cee557812ec847532dbb1d92ef71f577",
    "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "page.png": "341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}
NEGATIVES = (
    *("chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "coins.png", "brick.png"),
    *("hubble_deep_field.jpg", "moon.png", "horse.png", "page.png", "gravel.png"),
)
# Noted by hand on the pictures, in pixels: brow to chin, and all that is seen of the person.
ASTRONAUT_FACE, ASTRONAUT_BODY = (179.0, 60.0, 274.0, 182.0), (20.0, 15.0, 362.0, 512.0)
HOPPER_FACE, HOPPER_BODY = (165.0, 125.0, 360.0, 338.0), (12.0, 22.0, 512.0, 600.0)
CAMERA_FACE, CAMERA_BODY = (199.0, 115.0, 255.0, 195.0), (0.0, 63.0, 332.0, 512.0)

Array = NDArray[np.uint8]
Case = tuple[Array, list[Box]]
Find = Callable[[Array], list[Box]]


def fetch(name: str) -> Array:
    path = resolve(f"{SKIMAGE}{name}#sha256={SHA256[name]}")
    return np.asarray(Image.open(path).convert("RGB"))


def iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (area - width * height)


def changed(picture: Array, box: Box) -> list[Case]:
    """Return 15 changes of a portrait, each with where its box went."""
    image = Image.fromarray(picture)
    width, height = image.size
    cases: list[Case] = [(picture, [box])]
    for factor in (0.2, 0.35, 0.5, 2.0):
        small = image.resize((round(width * factor), round(height * factor)))
        cases.append((np.asarray(small), [tuple(side * factor for side in box)]))  # type: ignore[list-item]
    for degrees in (-40, -25, -12, 12, 25, 40):
        turn = np.deg2rad(degrees)
        middle = np.array([width / 2, height / 2])
        corners = np.array(list(itertools.product(box[0::2], box[1::2])))
        centre = corners.mean(axis=0) - middle
        cosine, sine = np.cos(turn), np.sin(turn)
        # PIL turns counter-clockwise, and y points down. The head turns, its box stays upright.
        x, y = (
            np.array([cosine * centre[0] + sine * centre[1], cosine * centre[1] - sine * centre[0]])
            + middle
        )
        half = (corners[-1] - corners[0]) / 2
        moved = (x - half[0], y - half[1], x + half[0], y + half[1])
        cases.append((np.asarray(image.rotate(degrees, Image.Resampling.BILINEAR)), [moved]))
    for light in (0.35, 1.7):
        cases.append((np.asarray(ImageEnhance.Brightness(image).enhance(light)), [box]))
    cases.append((np.asarray(image.filter(ImageFilter.GaussianBlur(4))), [box]))
    x1, y1, x2, y2 = (round(side) for side in box)
    cases.append((picture[y1:y2, x1:x2].copy(), [(0.0, 0.0, float(x2 - x1), float(y2 - y1))]))
    return cases


def montages() -> list[Case]:
    """Return 12 textures with eight faces each, enlarged to 60-100 pixels."""
    faces = np.load(resolve(f"{SKIMAGE}lfw_subset.npy#sha256={SHA256['lfw_subset.npy']}"))[:100]
    random = np.random.default_rng(7)
    cases = []
    for number in range(12):
        image = Image.fromarray(fetch(("brick.png", "grass.png", "gravel.png")[number % 3]))
        boxes: list[Box] = []
        for cell in range(8):
            side = int(random.integers(60, 101))
            x, y = 10 + 125 * (cell % 4), 60 + 220 * (cell // 4)
            patch = Image.fromarray((faces[number * 8 + cell] * 255).astype(np.uint8))
            image.paste(patch.resize((side, side), Image.Resampling.BICUBIC), (x, y))
            boxes.append((float(x), float(y), float(x + side), float(y + side)))
        cases.append((np.asarray(image), boxes))
    return cases


def centerface(label: str) -> Find:
    detector = CenterFace()
    return lambda picture: [found.box for found in detector.detect(picture, [label])]


def haar(name: str, neighbours: int) -> Find:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + name)

    def find(picture: Array) -> list[Box]:
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        found = cascade.detectMultiScale(grey, 1.1, neighbours, minSize=(24, 24))
        return [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in found]

    return find


def hog(hit_threshold: float) -> Find:
    people = cv2.HOGDescriptor()
    people.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def find(picture: Array) -> list[Box]:
        if picture.shape[0] < 128 or picture.shape[1] < 64:
            return []
        found, _ = people.detectMultiScale(
            picture, hitThreshold=hit_threshold, winStride=(8, 8), padding=(16, 16), scale=1.05
        )
        return [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in found]

    return find


def measure(find: Find, cases: list[Case], least: float) -> tuple[int, int, int, float]:
    """Return boxes found, boxes noted, false positives, seconds a picture."""
    found = noted = wrong = 0
    seconds = 0.0
    for picture, boxes in cases:
        start = time.perf_counter()
        answer = find(picture)
        seconds += time.perf_counter() - start
        hits = {n for n, box in enumerate(boxes) if any(iou(box, a) >= least for a in answer)}
        found, noted = found + len(hits), noted + len(boxes)
        wrong += sum(all(iou(box, a) < least for box in boxes) for a in answer)
    return found, noted, wrong, seconds / len(cases)


def main() -> None:
    hopper = np.asarray(Image.open(resolve(HOPPER)).convert("RGB"))
    astronaut, camera = fetch("astronaut.png"), fetch("camera.png")
    negatives: list[Case] = [(fetch(name), []) for name in NEGATIVES]
    portraits = changed(hopper, HOPPER_FACE) + changed(astronaut, ASTRONAUT_FACE)
    face_sets = {
        "portraits": (portraits, 0.4),
        "montages": (montages(), 0.25),
        "profile": ([(camera, [CAMERA_FACE])], 0.4),
        "negatives": (negatives, 0.4),
    }
    people: list[Case] = [
        (hopper, [HOPPER_BODY]),
        (astronaut, [ASTRONAUT_BODY]),
        (camera, [CAMERA_BODY]),
    ]
    person_sets = {"people": (people, 0.4), "negatives": (negatives, 0.4)}
    finders = {
        "CenterFace, face": (centerface("face"), face_sets),
        "Haar default, 5 neighbours": (haar("haarcascade_frontalface_default.xml", 5), face_sets),
        "Haar alt2, 3 neighbours": (haar("haarcascade_frontalface_alt2.xml", 3), face_sets),
        "CenterFace, person": (centerface("person"), person_sets),
        "HOG people, hit 0": (hog(0.0), person_sets),
        "HOG people, hit 0.5": (hog(0.5), person_sets),
    }
    write = sys.stdout.write
    write(
        "| detector | pictures | found | false positives | s a picture |\n|---|---|---|---|---|\n"
    )
    for name, (find, sets) in finders.items():
        find(hopper)  # models load outside the clock
        for title, (cases, least) in sets.items():
            found, noted, wrong, seconds = measure(find, cases, least)
            write(
                f"| {name} | {len(cases)} {title} | {found}/{noted} | {wrong} | {seconds:.2f} |\n"
            )


if __name__ == "__main__":
    main()
