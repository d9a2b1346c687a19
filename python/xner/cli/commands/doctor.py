"""`xner doctor`: what is installed, what is missing, what is broken, and where things are kept."""

from __future__ import annotations

import json
import locale
import os
import platform
import sys
from typing import Any

import click

import xner._core as _core
from xner._support.folders import bytes_of, bytes_text, cache_folder, hub_folder
from xner._support.installation import Package, Trial, instruction_set, packages_of, try_imports
from xner._support.memory import available_memory
from xner._version import __version__
from xner.errors import Error
from xner.models.translators.kept import kept

__all__ = ["command"]


@click.command(
    "doctor",
    epilog="\b\nExamples:\n"
    "  xner doctor            imports what is installed, which takes some seconds\n"
    "  xner doctor --quick    goes by what the packages say of themselves\n"
    "  xner doctor --json     for reports of problems",
)
@click.option("--quick", is_flag=True, help="Import nothing: neither what is broken nor CUDA devices are found.")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
def command(quick: bool, as_json: bool) -> None:
    """Look at the installation: build, extras, devices, caches, memory, encoding.

    Names the packages that an extra lacks and the command that adds them. Exit status 1 where something that is
    installed cannot be imported, or is of a version that xner does not work with.
    """
    extras = packages_of()
    installed = [one for packages in extras.values() for one in packages if one.version is not None]
    trials = {} if quick else try_imports(one.module for one in installed)
    found = _found(extras, trials, quick=quick)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else _text(found))
    if found["broken"]:
        raise click.exceptions.Exit(1)


def _found(extras: dict[str, list[Package]], trials: dict[str, Trial], *, quick: bool) -> dict[str, Any]:
    broken: dict[str, str] = {}
    described = {}
    for extra, packages in extras.items():
        missing = [one.name for one in packages if one.version is None]
        for one in packages:
            trial = trials.get(one.module)
            if trial is not None and trial.error is not None:
                broken[one.name] = trial.error
            elif one.version is not None and not one.fits:
                broken[one.name] = f"is {one.version}, and {one.wanted} is needed"
        described[extra] = {
            "packages": {one.name: one.version for one in packages},
            "missing": missing,
            "install": _pip(extra) if missing else None,
        }
    level, levels = instruction_set(), _core.simd_levels()
    if level not in levels:
        broken["XNER_SIMD"] = f"is {level!r}, and this CPU has {', '.join(levels)}"
    devices = trials["torch"].devices if "torch" in trials else None
    return {
        "xner": {
            "version": __version__,
            "core": getattr(_core, "__version__", None),
            "core_file": _core.__file__,
            "instruction_set": level,
            "instruction_sets": levels,
        },
        "python": {"version": platform.python_version(), "executable": sys.executable, "platform": platform.platform()},
        "needed": described.pop(""),
        "extras": described,
        "imported": not quick,
        "broken": broken,
        "devices": {"cpu_cores": os.cpu_count(), "cuda": None if devices is None else list(devices)},
        "memory_available": available_memory(),
        "caches": _caches(),
        "encoding": {
            "output": sys.stdout.encoding,
            "locale": locale.getencoding(),
            "file_names": sys.getfilesystemencoding(),
            "is_utf8": all(map(_is_utf8, (sys.stdout.encoding, locale.getencoding(), sys.getfilesystemencoding()))),
        },
    }


def _pip(extra: str) -> str:
    return f"pip install 'xner[{extra}]'" if extra else "pip install xner"


def _caches() -> dict[str, Any]:
    found: dict[str, Any] = {"folder": str(cache_folder()), "bytes": bytes_of(cache_folder())}
    try:
        found |= {one.kind: {"path": str(one.path), "entries": one.entries, "bytes": one.size} for one in kept()}
    except Error as error:  # a file that is no cache is worth a line, and no end
        found["error"] = str(error)
    return {**found, "hub": {"path": str(hub_folder()), "bytes": bytes_of(hub_folder())}}


def _is_utf8(name: str | None) -> bool:
    return (name or "").lower().replace("-", "").replace("_", "") == "utf8"


def _text(found: dict[str, Any]) -> str:
    its, python, caches, encoding = found["xner"], found["python"], found["caches"], found["encoding"]
    others = ", ".join(one for one in its["instruction_sets"] if one != its["instruction_set"])
    lines = [
        f"xner {its['version']}, core {its['core']}, computes with {its['instruction_set']}"
        + (f" (also there: {others})" if others else ""),
        f"Python {python['version']}, {python['platform']}",
        "",
    ]
    seen: set[str] = set()
    for extra, one in {"needed": found["needed"], **found["extras"]}.items():
        lines += _lines(extra, one, found["broken"], seen)
        seen.update(one["packages"])
    cuda = found["devices"]["cuda"]
    on_cuda = "CUDA not looked for" if cuda is None else f"CUDA: {', '.join(cuda) or 'none'}"
    lines += [
        "",
        f"devices: {found['devices']['cpu_cores']} CPU cores, {on_cuda}",
        f"memory: {bytes_text(found['memory_available'])} available",
        f"caches: '{caches['folder']}', {bytes_text(caches['bytes'])}",
    ]
    for kind in ("translations", "scores", "models"):
        if kind in caches:
            lines.append(f"  {kind}: {caches[kind]['entries']}, {bytes_text(caches[kind]['bytes'])}")
    if "error" in caches:
        lines.append(f"  {caches['error']}")
    lines.append(f"  of the hub: '{caches['hub']['path']}', {bytes_text(caches['hub']['bytes'])}")
    remedy = "" if encoding["is_utf8"] else "; PYTHONUTF8=1 makes all of them UTF-8"
    names = f"output {encoding['output']}, locale {encoding['locale']}, names of files {encoding['file_names']}"
    lines.append(f"encoding: {names}{remedy}")
    if found["broken"]:
        lines += ["", "broken:", *(f"  {name}: {error}" for name, error in found["broken"].items())]
    return "\n".join(lines)


def _lines(name: str, extra: dict[str, Any], broken: dict[str, str], seen: set[str]) -> list[str]:
    """An extra on a line, without what others before it have, and the command that completes it on another."""
    its = {one: version for one, version in extra["packages"].items() if one not in seen}
    packages = ", ".join(
        f"{one} {version or '(missing)'}{' (broken)' if one in broken else ''}" for one, version in its.items()
    ) + (", and those of models" if len(its) < len(extra["packages"]) else "")
    remedy = [f"{'':14}{extra['install']}"] if extra["install"] else []
    return [f"{name:13} {packages}", *remedy]
