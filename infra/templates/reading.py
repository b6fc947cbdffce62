"""Template files, cdk.out and Serverless packages -> Fleet: reads what they need and are nested in."""

import gc
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.templates.expanding import SAM, expanded, transforms
from infra.templates.parsing import LARGEST, definition, lines, parse
from monitors.errors import InputError
from monitors.fleet.joined import in_order
from monitors.fleet.template.loops import Unrolling
from monitors.fleet.template.nodes import Note
from monitors.fleet.template.stacks import Read, Stack, exports, from_stacks, nested, outputs, read, scope_of
from monitors.model import Fleet, Tally

Json = Any

_LANGUAGE = "AWS::LanguageExtensions"
_INCLUDE = "AWS::Include"
_SERVERLESS_FRAMEWORK = "cloudformation-template-update-stack.json"
_PLAIN_NAMES = {"template", "packaged", "sam", "main", "cloudformation", "stack", "index"}
_DEEPEST_STACKS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A template file, and what it would be deployed with."""

    path: Path
    name: str
    application: str
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class _Loaded:
    """A template, expanded, with what was odd on the way; `types` as its author wrote them, by logical id."""

    source: Source
    text: str
    stack: Stack
    types: dict[str, str]
    notes: list[Note]
    children: list["_Loaded"] = field(default_factory=list)


def from_templates(paths: Sequence[str], parameters: Mapping[str, str]) -> Fleet:
    """The Fleet that the templates would make, each with the parameters that it declares.

    A path is a template, a `cdk.out` folder, or a folder of the Serverless Framework. A file among several that is no
    template is told in the Fleet's `incomplete`; InputError if none is one.
    """
    with _nothing_collected():
        return _from_templates(paths, parameters)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """All that is made while templates are read is kept to the end: looking for garbage costs a quarter of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _from_templates(paths: Sequence[str], parameters: Mapping[str, str]) -> Fleet:
    loaded: list[_Loaded] = []
    refused: list[str] = []
    for source in _sources(paths, parameters):
        try:
            loaded.append(_load(source, 0))
        except InputError as error:
            refused.append(str(error))
    if not loaded:
        raise InputError("\n".join(refused) or f"{', '.join(paths)}: no stacks in it")
    exported: dict[str, str] = {}
    for one in _all(loaded):
        exported |= exports(one.stack)
    reads = [(one, read(replace(one.stack, imports=exported))) for one in _all(loaded)]
    notes = [note for one, found in reads for note in _placed(one, [*one.notes, *found.notes])]
    unknown = sorted(set(parameters) - _declared(loaded) - {name for name in parameters if name.startswith("AWS::")})
    asides = [f"no template has the parameter {name}" for name in unknown]
    return in_order(
        replace(
            from_stacks(found for _, found in reads),
            incomplete=(*refused, *(words for words, missing in notes if missing)),
            notes=(*(words for words, missing in notes if not missing), *asides),
            tally=_tally(reads),
        )
    )


def _sources(paths: Sequence[str], parameters: Mapping[str, Json]) -> Iterator[Source]:
    used: Counter[str] = Counter()
    for path, name, extra in (found for given in paths for found in _files(Path(given))):
        called = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-") or "stack"
        used[called] += 1
        unlike = called if used[called] == 1 else f"{called}-{used[called]}"
        yield Source(path=path, name=unlike, application=name, parameters={**extra, **parameters})


def _files(path: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """(template, name of its stack, pseudo parameters) of each template that the path stands for."""
    if not path.is_dir():
        plain = path.stem.partition(".")[0]
        parent = path.resolve().parent.name
        yield path, parent if plain.lower() in _PLAIN_NAMES and parent else plain, {}
        return
    for folder in (path, path / "cdk.out", path / ".serverless"):
        if (folder / "manifest.json").is_file():
            yield from _assembly(folder)
            return
        if (folder / _SERVERLESS_FRAMEWORK).is_file():
            yield folder / _SERVERLESS_FRAMEWORK, folder.resolve().parent.name, {}
            return
    raise InputError(
        f"{path}: a folder with neither a manifest.json (cdk.out) nor a {_SERVERLESS_FRAMEWORK} "
        "(.serverless): name the template itself"
    )


def _assembly(folder: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """The stacks of a CDK cloud assembly, and of the assemblies within it."""
    manifest = definition(template_text(folder / "manifest.json")) or {}
    artifacts = manifest.get("artifacts")
    if not isinstance(artifacts, dict):
        raise InputError(f"{folder / 'manifest.json'}: not a CDK manifest: it has no artifacts")
    for identity, artifact in artifacts.items():
        match artifact:
            case {"type": "aws:cloudformation:stack", "properties": {"templateFile": str(file)} as properties}:
                name = str(properties.get("stackName") or identity)
                yield folder / file, name, _environment(artifact) | {"AWS::StackName": name}
            case {"type": "cdk:cloud-assembly", "properties": {"directoryName": str(directory)}}:
                yield from _assembly(folder / directory)


def _environment(artifact: Mapping[str, Json]) -> dict[str, str]:
    """The account and Region of a stack that is bound to one: `aws://<account>/<Region>`."""
    found = re.fullmatch(r"aws://([^/]+)/([^/]+)", str(artifact.get("environment")))
    named = {"AWS::AccountId": found[1], "AWS::Region": found[2]} if found else {}
    return {name: value for name, value in named.items() if not value.startswith("unknown")}


def _load(source: Source, depth: int) -> _Loaded:
    text = template_text(source.path)
    file = str(source.path)
    template = parse(text, file)
    notes: list[Note] = []
    if "Fn::Transform" in text or "!Transform" in text:
        template = _with_includes(template, source.path.parent, (), notes)
    stack = Stack(name=source.name, application=source.application, template=template, parameters=source.parameters)
    names = transforms(template)
    if _LANGUAGE in names:
        stack = replace(stack, template=_unrolled(stack, file, notes))
    loaded = _Loaded(source, text, stack, _types(stack), notes)
    if SAM in names:
        folder = source.path.parent
        given = expanded(stack.template, stack.parameters, file=file, read=lambda path: _definition(folder / path))
        loaded.stack = replace(stack, template=given)
    notes += [
        Note(("Transform",), f"what the macro {name} would make of it is not seen", missing=True)
        for name in names
        if name not in (SAM, _LANGUAGE, _INCLUDE)
    ]
    _load_nested(loaded, depth)
    return loaded


def _unrolled(stack: Stack, file: str, notes: list[Note]) -> Mapping[str, Json]:
    unrolling = Unrolling(scope_of(stack))
    try:
        template: Mapping[str, Json] = unrolling.unrolled(stack.template)
    except RecursionError as error:
        raise InputError(f"{file}: nested too deeply") from error
    notes += unrolling.notes
    return template


def _types(stack: Stack) -> dict[str, str]:
    return {
        logical_id: one["Type"]
        for logical_id, one in stack.template["Resources"].items()
        if isinstance(one, dict) and isinstance(one.get("Type"), str)
    }


def _load_nested(parent: _Loaded, depth: int) -> None:
    """Read the templates of nested stacks that are files of this machine; twice, as one may need another's outputs."""
    own_notes = list(parent.notes)
    for _ in range(2):
        parent.children.clear()
        parent.notes[:] = own_notes
        for one in nested(parent.stack):
            path = parent.source.path.parent / one.template
            place = ("Resources", one.id)
            if not one.template or "://" in one.template or not path.is_file() or depth >= _DEEPEST_STACKS:
                parent.notes.append(Note(place, f"the nested stack {one.id} is not seen: no file here", missing=True))
                continue
            pseudo = {key: value for key, value in parent.stack.parameters.items() if key.startswith("AWS::")}
            child = Source(
                path=path,
                name=f"{parent.stack.name}.{one.id}",
                application=parent.stack.application,
                parameters={**pseudo, **one.parameters},
            )
            parent.children.append(_load(child, depth + 1))
        ids = {child.stack.name.rpartition(".")[2]: outputs(child.stack) for child in parent.children}
        parent.stack = replace(parent.stack, outputs=ids)
        if len(parent.children) < 2:
            return


def _with_includes(value: Json, folder: Path, path: tuple[str | int, ...], notes: list[Note]) -> Json:
    """The value with the files that AWS::Include names put in, where they are files of this machine."""
    if isinstance(value, list):
        return [_with_includes(item, folder, (*path, number), notes) for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found = {
        key: _with_includes(item, folder, (*path, key), notes) for key, item in value.items() if key != "Fn::Transform"
    }
    match value.get("Fn::Transform"):
        case None:
            return found
        case {"Name": "AWS::Include", "Parameters": {"Location": str(location)}}:
            included = None if "://" in location else _definition(folder / location)
            if included is not None:
                return included | found
            words = f"what AWS::Include takes from {location} is not seen"
        case {"Name": str(name)}:
            words = f"what the macro {name} would make of it is not seen"
        case _:
            words = "Fn::Transform is not seen: a Name was expected"
    notes.append(Note(path, words, missing=True))
    return found


def _definition(path: Path) -> dict[str, Json] | None:
    try:
        return definition(template_text(path))
    except InputError:
        return None


def template_text(path: Path) -> str:
    """What is in the file; InputError if it cannot be read, or is too large for a template."""
    try:
        if (size := path.stat().st_size) > LARGEST:
            limit = f"{LARGEST / 1e6:.0f} MB"
            raise InputError(
                f"{path}: {size / 1e6:.0f} MB are no template: CloudFormation takes 1 MB, this reads {limit}"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def _all(loaded: Sequence[_Loaded]) -> Iterator[_Loaded]:
    for one in loaded:
        yield one
        yield from _all(one.children)


def _declared(loaded: Sequence[_Loaded]) -> set[str]:
    return {name for one in loaded for name in (one.stack.template.get("Parameters") or {})}


def _placed(one: _Loaded, notes: Sequence[Note]) -> Iterator[tuple[str, bool]]:
    """Each note with file and line, those alike as one; and whether something is missing by it."""
    at = lines(one.text, {note.path for note in notes}) if notes else {}
    alike: dict[tuple[str, bool], list[int]] = {}
    for note in dict.fromkeys(notes):
        alike.setdefault((note.words, note.missing), []).append(at.get(note.path, 0))
    for (words, missing), places in alike.items():
        line = f":{places[0]}" if places[0] else ""
        more = f" (and at {len(places) - 1} more places)" if len(places) > 1 else ""
        yield f"{one.source.path}{line}: {words}{more}", missing


def _tally(reads: Sequence[tuple[_Loaded, Read]]) -> tuple[Tally, ...]:
    """What was seen of each type that the templates' authors wrote; a SAM resource is understood as what it becomes."""
    seen: Counter[str] = Counter()
    understood: Counter[str] = Counter()
    for one, found in reads:
        for logical_id, kind in one.types.items():
            seen[kind] += 1
            read_ = logical_id in one.stack.template["Resources"] and logical_id not in found.passed
            understood[kind] += read_ or logical_id in one.stack.outputs
    return tuple(Tally(kind, times, understood[kind]) for kind, times in sorted(seen.items()))
