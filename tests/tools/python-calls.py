#!/usr/bin/env python3
"""Prints the public calls of the installed symbiont-sdk, one a line: Class.method, module.function. For the test of scripts/guide/reference-python.md."""
import enum
import importlib
import inspect
import pkgutil

import symbiont

for info in pkgutil.iter_modules(symbiont.__path__):
    module = importlib.import_module("symbiont." + info.name)
    for name, c in inspect.getmembers(module, inspect.isclass):
        if c.__module__ != module.__name__ or name.startswith("_") or issubclass(c, (enum.Enum, Exception)):
            continue
        inherited = {key for base in c.__mro__ if not base.__module__.startswith("symbiont") for key in vars(base)}
        for key, value in inspect.getmembers(c):
            if not key.startswith("_") and key not in inherited and (inspect.isfunction(value) or inspect.ismethod(value) or isinstance(value, property)):
                print(name + "." + key)
    for name, f in inspect.getmembers(module, inspect.isfunction):
        if f.__module__ == module.__name__ and not name.startswith("_"):
            print(info.name + "." + name)
