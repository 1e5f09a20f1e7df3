"""From JavaScript's RerankError to the Python one of the same code."""

from __future__ import annotations

from pyodide.ffi import JsException

from webrerank.errors import RerankError, error_for_code


def error_from_js(error: JsException, otherwise: type[RerankError]) -> RerankError:
    """Translate what JavaScript threw; what is no RerankError there becomes `otherwise`.

    The text of a foreign error is not taken over: it may be the user's.
    """
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return error_for_code(code, str(getattr(error, "message", "")))
    return otherwise("A part of webrerank failed in JavaScript. Try again, or report it.")
