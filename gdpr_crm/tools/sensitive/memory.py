"""Answers given before, so that the same question costs a look-up only."""

from collections.abc import Callable
from typing import Any


class Memory(dict[Any, Any]):
    """Remembers what a function made of each key; starts afresh when it is full.

    Threads may share one: at worst two of them make the same answer.
    """

    def __init__(self, make: Callable[[Any], Any], size: int = 10_000) -> None:
        self._make = make
        self._size = size

    def __missing__(self, key: Any) -> Any:
        made = self._make(key)
        if len(self) >= self._size:
            self.clear()
        self[key] = made
        return made
