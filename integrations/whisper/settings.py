"""Settings of recognition on our own machine, as the provider or as the spare one for when the money limit is reached."""

from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigError
from integrations.kit.vendor import Env, Variable

VENDOR_NAME = "whisper"

SPARE = Variable(
    name="STT_SPARE_MODEL",
    meaning="модель на своём сервере для звонков сверх лимита трат: папка или имя; нужен svodka[local]",
)
MODEL_HINT = "нужна папка с моделью faster-whisper (model.bin, config.json) или её имя, например small"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``model``: a folder or a name that faster-whisper knows. ``stereo_operator``: left, right or auto."""

    model: str
    language: str = "ru"
    stereo_operator: str = "auto"


def read_settings(env: Env) -> Settings | None:
    """None unless STT_PROVIDER is local or a spare model is named; ConfigError when the model is missing."""
    name = "STT_MODEL" if env.get("STT_PROVIDER", "").strip().lower() == "local" else SPARE.name
    model = env.get(name, "").strip()
    if not model:
        if name == SPARE.name:
            return None
        raise ConfigError(name, MODEL_HINT)
    looks_like_path = "/" in model or "\\" in model or model.startswith((".", "~"))
    folder = Path(model).expanduser()
    if looks_like_path and not _is_name(model) and not (folder / "model.bin").is_file():
        raise ConfigError(name, f"в этой папке нет model.bin; {MODEL_HINT}")
    side = env.get("STEREO_OPERATOR", "auto").strip().lower()
    if side not in {"left", "right", "auto"}:
        raise ConfigError("STEREO_OPERATOR", "возможные значения: left, right, auto")
    return Settings(
        model=str(folder) if folder.is_dir() else model,
        language=env.get("STT_LANGUAGE", "ru").strip().lower(),
        stereo_operator=side,
    )


def _is_name(model: str) -> bool:
    """«owner/model» of a model hub, as faster-whisper takes it."""
    return model.count("/") == 1 and not model.startswith((".", "~", "/")) and not Path(model).exists()
