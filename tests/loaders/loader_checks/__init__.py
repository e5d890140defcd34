"""One module per loader. Each has `check(variant) -> str`, which says what was read or raises."""
