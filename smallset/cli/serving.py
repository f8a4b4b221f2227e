"""`smallset serve`: its options, and the service that they mean."""

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from smallset.errors import UserError

_NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
_EXAMPLES = "Examples: smallset serve | smallset serve models/classifier --port 9000 | smallset serve in-use"


def serve_parser(description: str) -> argparse.ArgumentParser:
    """What `smallset serve` takes."""
    parser = argparse.ArgumentParser(prog="smallset serve", description=description, epilog=_EXAMPLES)
    add = parser.add_argument
    add("model", nargs="?", metavar="BUNDLE", help="As --model of smallset predict; in-use follows promotions.")
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on. Default: this machine alone.")
    add("--port", type=int, default=8000, metavar="NUMBER", help="0 takes a free one. Default: 8000.")
    add("--token-file", type=Path, metavar="FILE", help="Callers send what is in it; else SMALLSET_TOKEN, if set.")
    add("--no-token", action="store_true", help="Listen to other machines without a token.")
    add("--max-megabytes", type=int, default=32, metavar="N", help="Of the body of a request. Default: 32.")
    add("--max-megapixels", type=int, default=50, metavar="N", help="Of an image. Default: 50.")
    add("--max-images", type=int, default=32, metavar="N", help="Of a request. Default: 32.")
    add("--max-waiting", type=int, default=256, metavar="N", help="Images of all requests together. Default: 256.")
    add("--max-seconds", type=float, default=30, metavar="N", help="That a request may take. Default: 30.")
    add("--batch", type=int, default=1, metavar="N", help="Images computed together. Default: 1, see the docs.")
    return parser


def serve(options: argparse.Namespace, find: Callable[[], Path]) -> int:
    """Answer requests until a signal ends it.

    Args:
        options: of `serve_parser`.
        find: gives the directory of the bundle, now and whenever it is looked for again.

    Raises:
        UserError: a wrong option, no bundle, or a package that is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(f"smallset serve needs {', '.join(missing)}: pip install '.[serve]' in a clone")
    from smallset.service.settings import Settings, read_token, require_guarded

    token = None if options.no_token and options.token_file is None else read_token(options.token_file)
    require_guarded(options.host, token, options.no_token)
    settings = Settings(
        host=options.host,
        port=options.port,
        token=token,
        most_bytes=options.max_megabytes << 20,
        most_pixels=options.max_megapixels * 1_000_000,
        most_images=options.max_images,
        most_waiting=options.max_waiting,
        seconds=options.max_seconds,
        batch=options.batch,
    )
    from smallset.service.server import serve as answer

    return answer(find, settings)
