"""RFC 7396's own algorithm, to compare a merge with."""

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """Section 2, as it is written there. Changes nothing in place."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
