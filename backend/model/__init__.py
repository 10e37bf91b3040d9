"""The words of the field as frozen values and explained enums. No I/O."""
