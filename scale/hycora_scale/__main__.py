"""The command line: `python -m hycora_scale train | evaluate | plan | experiment | import-official`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from .errors import HycoraError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise HycoraError("usage", message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="hycora_scale", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    backbone = argparse.ArgumentParser(add_help=False)
    backbone.add_argument("--backbone", required=True, help="a folder, the name of a shipped backbone, or a hub id")
    backbone.add_argument("--model", help="ONNX file relative to the folder")
    backbone.add_argument("--trust-remote-code", action="store_true", help="run code that comes with the backbone")
    backbone.add_argument("--dtype", choices=("float64", "float32", "bfloat16"), help="of the frozen weights' products")
    backbone.add_argument("--device", help="cpu, cuda, …; the fastest by default")

    train = commands.add_parser("train", parents=[backbone], help="train a pack")
    train.add_argument("--data", nargs="+", help="data sets or folders")
    train.add_argument("--role", help="who speaks in rows that name nobody")
    train.add_argument("--columns", help="of a CSV file: user=COLUMN,reply=COLUMN[,role=COLUMN]")
    train.add_argument("--batches", help="given batches instead of a data set")
    train.add_argument("--out", required=True, help="the pack to write")
    train.add_argument("--config", help="the training file")
    train.add_argument("--start", help="a pack to go on from")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint beside --out")
    train.add_argument("--shard", action="store_true", help="spread the backbone over the processes (FSDP)")
    train.add_argument("--checkpoint-activations", action="store_true", help="compute activations twice, keep fewer")

    evaluate = commands.add_parser("evaluate", parents=[backbone], help="NLL and role swap of a pack")
    evaluate.add_argument("--pack", required=True)
    evaluate.add_argument("--data", nargs="+", required=True)
    evaluate.add_argument("--all", action="store_true", help="every held-out reply, whole")
    evaluate.add_argument("--exchanges", type=int, default=10, help="held-out replies of a role")
    evaluate.add_argument("--seed", type=int, default=42)
    evaluate.add_argument("--split", choices=("test", "wording"), default="test", help="the held-out rows to measure")
    evaluate.add_argument("--json", action="store_true", help="as always")

    plan = commands.add_parser("plan", help="memory and arithmetic of a run, from config.json alone")
    plan.add_argument("--backbone", required=True)
    plan.add_argument("--config", help="the training file")
    plan.add_argument("--roles", type=int, default=12)
    plan.add_argument("--processes", type=int, default=1)
    plan.add_argument("--checkpoint-activations", action="store_true")
    plan.add_argument("--teraflops", type=float, help="that a process reaches, for the time of a step")

    experiment = commands.add_parser(
        "experiment", help="run what is left of an experiment, with its summary and picture"
    )
    experiment.add_argument("name", help="of experiments/settings, or a settings file")
    experiment.add_argument("--out", help="the folder of its results; experiments/results by default")

    official = commands.add_parser("import-official", parents=[backbone], help="a checkpoint of the authors' code")
    official.add_argument("folder")
    official.add_argument("--roles", required=True, help="JSON list of names, or the authors' roles_desc file")
    official.add_argument("--alpha", type=float, default=32)
    official.add_argument("--out", required=True, help="the pack to write")
    return parser


def main(words: Sequence[str]) -> int:
    """Runs a command; a failure is one line on stderr, `code: sentence`."""
    try:
        options = _parser().parse_args(words)
        if options.command == "train":
            from .train_command import train

            train(options)
        elif options.command == "import-official":
            from .official import import_official

            import_official(options)
        elif options.command == "experiment":
            from .experiment import experiment

            print(json.dumps(experiment(options)))
        elif options.command == "plan":
            from .cost import plan
            from .train_command import read_config

            print(json.dumps(plan(options, read_config(options.config, None))))
        else:
            from .evaluate_command import evaluate

            print(json.dumps(evaluate(options)))
    except HycoraError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def entry() -> None:
    """The installed command."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    entry()
