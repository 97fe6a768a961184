"""A model hub that has ``owner/toy``: the endpoints that huggingface_hub asks."""

import hashlib

from deixis.testing import Request, Response

COMMIT = "a" * 40
HUB_FILES = {
    "config.json": b'{"kind": "toy"}',
    "model.safetensors": bytes(range(256)) * 3000,
    "model.fp16.safetensors": b"of no use",
    "weights/model.bin": bytes(range(256)) * 4000,
}


def answer(request: Request) -> Response:
    """Answer as a hub does."""
    path = request.path.partition("?")[0]
    refused = {"/gated": (403, "GatedRepo"), "/none": (404, "RepoNotFound")}
    refused["/no-such-tag"] = (404, "RevisionNotFound")
    for piece, (status, code) in refused.items():
        if piece in path:
            return Response(status, {}, {"X-Error-Code": code})
    if path.startswith("/api/models/owner/toy/tree/"):
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": _oid(content)}
            for name, content in HUB_FILES.items()
        ]
        return Response(200, entries)
    if path.startswith("/api/models/owner/toy"):
        siblings = [{"rfilename": name, "size": len(HUB_FILES[name])} for name in HUB_FILES]
        about = {"id": "owner/toy", "modelId": "owner/toy", "sha": COMMIT, "siblings": siblings}
        return Response(200, about)
    content = HUB_FILES.get("/".join(path.split("/")[5:]))
    if content is None:
        return Response(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
    return Response(200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT})


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
