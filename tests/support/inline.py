"""Small inline XBRL documents of a made-up company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.support.instances import CONTEXTS, IFRS, IFRS_FLOWS, IFRS_STOCKS

HEAD = (
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"'
    ' xmlns:ixt="http://www.xbrl.org/inlineXBRL/transformation/2020-02-12"'
    ' xmlns:old="http://www.xbrl.org/inlineXBRL/transformation/2010-04-20"'
    ' xmlns:odd="http://example.org/formats"'
    ' xmlns:xbrli="http://www.xbrl.org/2003/instance"'
    ' xmlns:xbrldi="http://xbrl.org/2006/xbrldi"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:iso4217="http://www.xbrl.org/2003/iso4217"'
)


def build_figure(
    name: str, context: str, text: str, *, form: str = "ixt:num-dot-decimal", **more: str
) -> str:
    """Return one figure, in thousands unless something else is said."""
    attributes = {"scale": "3", "decimals": "-3", "unitRef": "EUR", "format": form} | more
    said = " ".join(f'{key}="{value}"' for key, value in attributes.items() if value)
    return f'<ix:nonFraction name="t:{name}" contextRef="{context}" {said}>{text}</ix:nonFraction>'


def build_figures(figures: Mapping[str, int], context: str) -> list[str]:
    """Return figures as a table would hold them."""
    return [f"<td>{build_figure(name, context, f'{one:,}')}</td>" for name, one in figures.items()]


def build_document(body: Sequence[str] | None = None, *, namespace: str = IFRS) -> bytes:
    """Return a document with one year of IFRS figures and the opening balance, or another body."""
    if body is None:
        body = [
            *build_figures(IFRS_STOCKS, "now"),
            *build_figures(IFRS_STOCKS, "then"),
            *build_figures(IFRS_FLOWS, "year"),
        ]
    contexts = [
        f'<xbrli:context id="{name}"><xbrli:entity><xbrli:identifier scheme="x">LEI1'
        f"</xbrli:identifier>{_prefix(segment)}</xbrli:entity>"
        f"<xbrli:period>{_prefix(period)}</xbrli:period></xbrli:context>"
        for name, (period, segment) in CONTEXTS.items()
    ]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'{HEAD} xmlns:t="{namespace}">',
        "<head><title>Annual report</title></head><body>",
        '<div style="display:none"><ix:header><ix:resources>',
        *contexts,
        '<xbrli:unit id="EUR"><xbrli:measure>iso4217:EUR</xbrli:measure></xbrli:unit>',
        "</ix:resources></ix:header></div>",
        *body,
        "</body></html>",
    ]
    return "\n".join(lines).encode()


def _prefix(text: str) -> str:
    for name in ("instant", "startDate", "endDate", "segment"):
        text = text.replace(f"<{name}>", f"<xbrli:{name}>")
        text = text.replace(f"</{name}>", f"</xbrli:{name}>")
    return text
