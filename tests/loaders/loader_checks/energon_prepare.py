"""`energon prepare` as its own process, because it starts workers and prints. Arguments as the command has."""

from . import torch_stand_in

torch_stand_in.install()

from megatron.energon.tools.prepare import command  # noqa: E402

if __name__ == "__main__":
    command()
