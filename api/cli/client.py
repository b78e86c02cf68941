"""Speaks to the running API with the caller's own key, so that a shell on the host is nobody's second person."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from api.settings import Settings

EXIT_FAULT = 1
"""The API answered with a problem, or could not be reached."""


class Client:
    """One caller of the API."""

    def __init__(self, settings: "Settings", *, purpose: str = "", case: str = "") -> None:
        import httpx

        if settings.key_file is None:
            fail("no key: set THEME_REGISTER_KEY_FILE (or --key-file) to a file with your API key")
        headers = {"Authorization": f"Bearer {key_in(settings.key_file)}", "Purpose": purpose, "Case": case}
        self._http = httpx.Client(base_url=settings.api_url, headers=headers, timeout=60)

    def get(self, path: str) -> Any:
        """GET `path`; return the JSON answer. Ends the program with the problem's text otherwise."""
        return self._ask("GET", path)

    def lines(self, path: str, *, timeout: float = 600) -> Iterator[bytes]:
        """GET `path` and yield what comes, as it comes. Ends the program with the problem's text otherwise."""
        import httpx

        try:
            with self._http.stream("GET", path, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    fail(_words(answer.status_code, answer.text))
                yield from answer.iter_bytes()
        except httpx.HTTPError as error:
            fail(f"the API at {self._http.base_url} broke off ({type(error).__name__})")

    def told(self, path: str, body: object, *, timeout: float = 600) -> Iterator[Any]:
        """POST `body` to `path` and yield the lines of the NDJSON answer, as they come. Ends the program otherwise."""
        import httpx

        try:
            with self._http.stream("POST", path, json=body, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    fail(_words(answer.status_code, answer.text))
                yield from map(json.loads, answer.iter_lines())
        except httpx.HTTPError as error:
            fail(f"the API at {self._http.base_url} broke off ({type(error).__name__})")

    def post(self, path: str, body: object) -> Any:
        """POST `body` as JSON to `path`; return the JSON answer. Ends the program with the problem's text otherwise."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> Any:
        """DELETE `path`. Ends the program with the problem's text when it is refused."""
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        import httpx

        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            fail(f"the API at {self._http.base_url} does not answer ({type(error).__name__}): is `serve` running?")
        if not answer.is_success:
            fail(_words(answer.status_code, answer.text))
        return answer.json() if answer.content else None


def fail(message: str) -> NoReturn:
    """End the program with a message for people on standard error."""
    typer.echo(f"theme-register: {message}", err=True)
    raise SystemExit(EXIT_FAULT)


def emit(answer: object) -> None:
    """Print `answer` as one line of JSON, for programs."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n")


def key_in(path: Path) -> str:
    """Return the API key in a file that only its owner may read. Ends the program otherwise."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read the key file ({type(error).__name__})")
    if mode & 0o077:
        fail("the key file may be read by others: chmod 600 it")
    return text


def _words(status: int, text: str) -> str:
    try:
        problem = json.loads(text)
    except ValueError:
        return f"the API answered {status}"
    lines = [f"{problem.get('title', 'Error')} ({problem.get('code', status)})"]
    if problem.get("detail") not in (None, "see errors"):
        lines[0] += f": {problem['detail']}"
    lines += [f"  {one['pointer'] or '(whole)'}: {one['message']} [{one['rule']}]" for one in problem.get("errors", ())]
    return "\n".join(lines)
