"""Workbooks of other programs and times, .xls, .xlsb and .ods: read by calamine in a process of its own.

``child`` is that process, ``source`` the one that asks it; ``zip_bounds`` is what a zip must be before it is asked.
"""
