"""The report as one self-contained HTML page."""

from ncbounds.report.page.document import page

__all__ = ["page"]
