"""The settings of one group, as a table."""

from __future__ import annotations

from factload.environment import SETTINGS, NumberSetting, TextSetting

_UNITS = (("GB", 1 << 30), ("MB", 1 << 20))


def setting_table(group: str) -> str:
    """A row for each setting of the group: name, meaning, values, default."""
    rows = [
        f"| `{setting.name}` | {setting.meaning} | {_values(setting)} | {_default(setting)} |"
        for setting in SETTINGS
        if setting.group == group
    ]
    return "\n".join(["| setting | what it says | values | default |", "| --- | --- | --- | --- |", *rows])


def _values(setting: TextSetting | NumberSetting) -> str:
    return "text" if isinstance(setting, TextSetting) else setting.values


def _default(setting: TextSetting | NumberSetting) -> str:
    if isinstance(setting, TextSetting):
        return setting.shown
    if setting.name.endswith("_BYTES"):
        name, size = next(unit for unit in _UNITS if setting.default >= unit[1])
        return f"{setting.default} ({setting.default // size} {name})"
    return str(setting.default)
