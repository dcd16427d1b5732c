"""Resolves every setting of the collector: argument, then environment, then file, then default."""

from __future__ import annotations

from spanloop_collector.configuration.fields import SettingField, setting_fields
from spanloop_collector.configuration.places import default_data_dir
from spanloop_collector.configuration.resolve import Configuration, ResolvedValue, resolve

__all__ = [
    "Configuration",
    "ResolvedValue",
    "SettingField",
    "default_data_dir",
    "resolve",
    "setting_fields",
]
