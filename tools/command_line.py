"""What `python build.py` understands: its commands, their options, and the help."""

import argparse

#: The commands that measure, and the modules that do it.
MEASURING = {"bench": "bench", "eval": "bench.evaluate"}

#: The commands that look for faults, and the modules that do it.
SEARCHING = {"fuzz": "tests.fuzz", "mutate": "tools.mutate"}

#: What follows these is for another program, which knows its own options.
PASSED_ON = ("test", *MEASURING, *SEARCHING)

HELP = """\
commands:
  build                   fetch and verify the pinned parts, build dist/, a static site
    --max-file-mb N       publish larger files in pieces, for hosts that limit the size of a
                          file: 24 for a limit of 25 MB or MiB (docs/hosting.md)
  serve                   build if needed, serve dist/, print its address when ready
    --port PORT           default 8000; 0 picks a free one
    --host HOST           default 127.0.0.1
    --no-open             do not open the browser
  test [PYTEST ARGUMENTS] install what the tests need, browsers included, and run them;
                          everything after `test` goes to pytest as it is, but for paths
                          in tests/js, which Node runs
    --fast                alone: those that need no browser, in three minutes
  kernel                  compile kernel/*.c to web/kernel/*.wasm, which are committed: only
                          after a change there (a compiler of 100 MB goes into .venv/)
  check                   formatting, lint, types, import rules: seconds, no browser
    --fast                formatting and lint only, as before each commit
  bench                   measure against the peers by turns, in one browser, and write
                          bench/results/; wants an idle machine and takes most of an hour
    --quick               a few minutes: does everything work? writes bench/scratch/
    --rounds N            how often each peer is timed, default 5
  eval                    ranking quality (nDCG@10, MRR@10) of dist/ in the browser and
                          of native onnxruntime; writes bench/results/
    --queries N           only the first N of each collection; writes bench/scratch/
  fuzz                    damage models, tokenizers, answers of hosts, stored records, messages
                          and requests at random; what fails is kept in test-results/fuzz/
    --minutes N           how long, default 5
    --seed S              the same seed makes the same cases; default: the time
    --only KIND           models, tokenizers, hosts, records, messages or requests
    --replay FILE         run a kept case again
  mutate [FILES]          change the core, or FILES, in small ways, and show each change that
                          no quick test notices
    --minutes N           how long, default 30

needed: Python 3.11 or newer, Node 20 or newer with npm. Everything else goes into .venv/,
node_modules/ and the cache of downloaded parts; a second run uses what is there.

environment variables:
  WEBRERANK_CACHE         folder of the downloaded parts (default: the user's cache folder)
  WEBRERANK_BROWSER       browser for `test`, `bench` and `eval`: the path of a
                          Chromium or Chrome
"""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; some commands keep what follows them for another program."""
    if arguments and arguments[0] in PASSED_ON:  # argparse would take the options for its own
        return argparse.Namespace(command=arguments[0], arguments=arguments[1:])
    parser = argparse.ArgumentParser(
        prog="build.py",
        usage="python build.py COMMAND [OPTIONS]",
        description="Build, serve, test, check and measure webrerank.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        dest="command",
        metavar="COMMAND",
        prog="python build.py",
        required=True,
        help=argparse.SUPPRESS,
    )
    for name in ("kernel", *PASSED_ON):
        commands.add_parser(name)
    checked = commands.add_parser("check", description="Formatting, lint, types, import rules.")
    checked.add_argument("--fast", action="store_true", help="only formatting and lint")
    built = commands.add_parser("build", description="Build dist/, a static site.")
    built.add_argument(
        "--max-file-mb",
        type=int,
        metavar="N",
        help="publish files of more than N MB (10^6 bytes) in pieces",
    )
    serve = commands.add_parser("serve", description="Build if needed, and serve dist/.")
    serve.add_argument("--port", type=int, default=8000, help="default 8000; 0 picks a free one")
    serve.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    serve.add_argument("--no-open", action="store_true", help="do not open the browser")
    return parser.parse_args(arguments or ["--help"])
