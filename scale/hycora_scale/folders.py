"""Where a backbone's files are: a folder, a shipped one, or a repository of the hub."""

from __future__ import annotations

from pathlib import Path

from .errors import HycoraError, check

_TEXTS = ["*.json", "*.jinja", "*.model", "tokenizer*"]


def backbone_folder(place: str, *, model: str | None, with_code: bool) -> Path:
    """The folder of a backbone; of a hub repository the ONNX file `model` is fetched, else its safetensors."""
    # Weights that do not fit into an ONNX file lie in files whose names begin with its own.
    weights = [f"{model}*"] if model else ["*.safetensors"]
    return _find(place, [*_TEXTS, *weights, *(["*.py"] if with_code else [])])


def config_file(place: str) -> Path:
    """The config.json of a backbone, the only file that is fetched."""
    return _find(place, ["config.json"]) / "config.json"


def _find(place: str, hub_files: list[str]) -> Path:
    here = Path.cwd()
    roots = (Path(__file__).resolve().parents[2], here, *here.parents)
    for folder in (Path(place), *(root / "public" / "models" / place for root in roots)):
        if (folder / "config.json").is_file():
            return folder
    fact = f"{place} is no folder with a config.json, and none of public/models here or above"
    check("/" in place and not Path(place).exists(), "usage", fact)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(snapshot_download(place, allow_patterns=hub_files))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise HycoraError("usage", f"{place} is no folder and cannot be downloaded: {error}") from error
