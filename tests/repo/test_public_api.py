"""What users rely on: names, error codes and versions, the same wherever they are written."""

import inspect
import json
import re
import types

import webrerank
from tests.repo.sources import ROOT, WEB, read, without_comments
from webrerank import errors
from webrerank.errors import RerankError, error_for_code
from webrerank.model_files import MODEL_FILES

DECLARATIONS = read(WEB / "webrerank.d.ts")


def test_all_is_what_the_package_exposes_and_sorted() -> None:
    exposed = {
        name
        for name, value in vars(webrerank).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and getattr(value, "__module__", "").startswith("webrerank")
    }
    assert set(webrerank.__all__) == exposed | {"__version__"}
    assert webrerank.__all__ == sorted(webrerank.__all__)


def test_everything_public_says_what_it_is() -> None:
    for name in set(webrerank.__all__) - {"__version__"}:
        said = getattr(webrerank, name).__doc__  # its own: getdoc would take a base's
        assert said and not said.startswith(f"{name}("), f"{name}: a dataclass writes that itself"


def test_scripts_export_what_the_declarations_declare() -> None:
    lists = re.findall(r"export \{([^}]*)\}", read(WEB / "webrerank.js"))
    exported = [name.strip() for names in lists for name in names.split(",") if name.strip()]
    declared = re.findall(
        r"^export (?:declare )?(?:function|const|class) (\w+)", DECLARATIONS, flags=re.MULTILINE
    )
    assert sorted(exported) == sorted(set(declared))
    assert {"createReranker", "rerank", "RerankError", "models"} <= set(exported)


def test_error_codes_are_the_same_everywhere() -> None:
    script = read(WEB / "lib" / "errors.js")
    table = re.search(r"RETRYABLE = Object\.freeze\(\{(.*?)\}\)", script, re.DOTALL)
    assert table
    in_script = {
        code: value == "true" for code, value in re.findall(r"(\w+): (true|false),", table[1])
    }
    union = re.search(r"type RerankErrorCode =(.*?);", DECLARATIONS, re.DOTALL)
    assert union
    declared = re.findall(r"'(\w+)'", union[1])
    classes = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, RerankError)
    ]
    in_python = {error.code: error_for_code(error.code, "").retryable for error in classes}
    assert in_python == in_script
    assert sorted(declared) == sorted(in_script)
    assert len(in_script) > 5


def test_the_error_tree_in_the_docstring_is_the_tree() -> None:
    """Each error is drawn under its base, and `retryable` stands where it is."""
    line = re.compile(r"^    (?P<branch>[│├└─ ]*)(?P<name>\w+Error)\b(?P<rest>.*)$", re.MULTILINE)
    drawn, bases = {}, [""]
    for found in line.finditer(errors.__doc__ or ""):
        depth = len(found["branch"]) // 3
        drawn[found["name"]] = (bases[depth], "retryable" in found["rest"])
        bases[depth + 1 :] = [found["name"]]
    real = {
        name: ("" if value is RerankError else value.__bases__[0].__name__, value.retryable)
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, RerankError)
    }
    assert drawn == real


#: In Python a call is cancelled by cancelling its task, and a failure is caught by `except`.
ONLY_IN_SCRIPT = {"signal", "abortSignal", "stopAtOnce", "onFailure"}


def test_options_have_the_same_meaning_under_both_names() -> None:
    options = re.search(r"interface RerankOptions.*?\n\}", DECLARATIONS, re.DOTALL)
    assert options
    in_script = set(re.findall(r"^  (\w+)\??:", options[0], flags=re.MULTILINE))
    signature = inspect.signature(webrerank.Reranker.rerank)
    in_python = {
        re.sub("_[a-z]", lambda letter: letter[0][1].upper(), name)
        for name in signature.parameters
        if name != "self"
    }
    assert in_script >= ONLY_IN_SCRIPT
    assert in_script - ONLY_IN_SCRIPT == in_python


def test_model_files_have_the_same_names_in_python_and_in_the_browser() -> None:
    script = without_comments(read(WEB / "lib" / "store" / "layout.js"))
    table = re.search(r"MODEL_PATHS =\s+\(\{(.*?)\n\}\)", script, re.DOTALL)
    assert table
    _, *parts = re.split(r"^  (\w+): ", table[1], flags=re.MULTILINE)
    in_script = {
        dtype: tuple(re.findall(r"'([^']+)'", paths))
        for dtype, paths in zip(parts[::2], parts[1::2], strict=True)
    }
    assert in_script == MODEL_FILES


def test_the_version_is_the_same_everywhere() -> None:
    version = webrerank.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert f"VERSION = '{version}'" in read(WEB / "lib" / "version.js")
    changelog = ROOT / "CHANGELOG.md"
    if changelog.exists():
        newest = re.search(r"^## \[(\d[^\]]*)\]", read(changelog), flags=re.MULTILINE)
        assert newest
        assert newest[1] == version
    package = json.loads(read(ROOT / "package.json"))
    assert package.get("version", version) == version
