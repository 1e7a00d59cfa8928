"""A report a person can show: one self-contained HTML page."""

from tinyssl.report.page import Section, save_figures, write_report
from tinyssl.report.tables import Table, efficiency_table

__all__ = ["Section", "Table", "efficiency_table", "save_figures", "write_report"]
