"""A model hub on loopback: the endpoints that huggingface_hub asks."""

import hashlib
from collections.abc import Callable, Mapping

from deixis.testing import Request, Response

COMMIT = "a" * 40
HUB_FILES = {
    "config.json": b'{"kind": "toy"}',
    "model.safetensors": bytes(range(256)) * 3000,
    "model.fp16.safetensors": b"of no use",
    "weights/model.bin": bytes(range(256)) * 4000,
}
Repositories = Mapping[str, Mapping[str, bytes]]


def hub_of(repositories: Repositories) -> Callable[[Request], Response]:
    """Return what answers as a hub that has these files, by repository and path."""

    def answer(request: Request) -> Response:
        path = request.path.partition("?")[0].lstrip("/")
        refused = {"gated": (403, "GatedRepo"), "none": (404, "RepoNotFound")}
        refused["no-such-tag"] = (404, "RevisionNotFound")
        for piece, (status, code) in refused.items():
            if f"/{piece}" in f"/{path}":
                return Response(status, {}, {"X-Error-Code": code})
        asked = path.removeprefix("api/models/")
        repo = "/".join(asked.split("/")[:2])
        files = repositories.get(repo, {})
        if asked != path:
            return _about(repo, files, tree=asked.startswith(f"{repo}/tree/"))
        content = files.get("/".join(path.split("/")[4:]))  # OWNER/REPO/resolve/REVISION/path
        if content is None:
            return Response(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        return Response(200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT})

    return answer


def _about(repo: str, files: Mapping[str, bytes], *, tree: bool) -> Response:
    if tree:
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": _oid(content)}
            for name, content in files.items()
        ]
        return Response(200, entries)
    siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
    return Response(200, {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings})


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
