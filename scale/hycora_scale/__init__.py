"""HyCoRA on PyTorch: the trainer's twin for many roles, large backbones and many devices."""

__version__ = "0.1.0"
