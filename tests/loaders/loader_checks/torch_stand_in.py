"""A stand-in for torch, for loaders that import it and then do not use it.

wids and Energon import torch at the top for base classes and type annotations; listing, indexing and reading
samples touch none of it. PyPI has torch for Linux only with CUDA: 540 MB that do not import without several
more GB of NVIDIA libraries. Where a real torch is installed, it is used.
"""

import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec


class _Module(types.ModuleType):
    __path__: list[str] = []
    __version__ = "0"

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        # An empty class serves as a base, as an annotation and as a generic (`Dataset[T]`); calling anything
        # on it fails, so that no result can come from here unnoticed.
        stand_in = type(name, (), {"__class_getitem__": classmethod(lambda cls, _: cls)})
        setattr(self, name, stand_in)
        return stand_in


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, _Finder, is_package=True) if name.split(".")[0] == "torch" else None

    @staticmethod
    def create_module(spec):
        return _Module(spec.name)

    @staticmethod
    def exec_module(module):
        pass


def install() -> None:
    if "torch" not in sys.modules and importlib.util.find_spec("torch") is None:
        sys.meta_path.append(_Finder)
