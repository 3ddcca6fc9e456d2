"""The studio's looks: the viewer's two palettes, given to Gradio's theme and to the studio's own style sheet."""

from functools import cache
from importlib.resources import files
from inspect import signature

from gradio.themes import Base

from ictus.render.theme import DARK, LIGHT

_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
# What Gradio calls its parts -> the colours of studio.css.
_PARTS = {
    "body_background_fill": "var(--ground)",
    "body_text_color": "var(--text)",
    "body_text_color_subdued": "var(--quiet)",
    "background_fill_primary": "var(--ground)",
    "background_fill_secondary": "var(--sheet)",
    "block_background_fill": "var(--sheet)",
    "block_border_color": "var(--line)",
    "block_border_width": "1px",
    "block_info_text_color": "var(--quiet)",
    "block_label_background_fill": "transparent",
    "block_label_border_width": "0",
    "block_label_text_color": "var(--quiet)",
    "block_shadow": "none",
    "block_title_text_color": "var(--text)",
    "block_title_text_weight": "600",
    "border_color_accent": "var(--right)",
    "border_color_primary": "var(--line)",
    "button_primary_background_fill": "var(--text)",
    "button_primary_background_fill_hover": "var(--go)",
    "button_primary_text_color": "var(--ground)",
    "button_primary_border_color": "transparent",
    "button_secondary_background_fill": "transparent",
    "button_secondary_background_fill_hover": "var(--wash)",
    "button_secondary_border_color": "var(--line)",
    "button_secondary_text_color": "var(--text)",
    "checkbox_background_color": "transparent",
    "checkbox_background_color_selected": "var(--right)",
    "checkbox_border_color": "var(--line)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "var(--wash)",
    "checkbox_label_background_fill_selected": "var(--wash)",
    "checkbox_label_border_color": "var(--line)",
    "checkbox_label_border_color_selected": "var(--right)",
    "checkbox_label_text_color": "var(--text)",
    "checkbox_label_text_color_selected": "var(--text)",
    "color_accent": "var(--right)",
    "color_accent_soft": "var(--wash)",
    "error_background_fill": "var(--sheet)",
    "error_border_color": "var(--right)",
    "error_text_color": "var(--text)",
    "error_icon_color": "var(--right)",
    "input_background_fill": "transparent",
    "input_background_fill_focus": "transparent",
    "input_border_color": "var(--line)",
    "input_border_width": "1px",
    "input_border_color_focus": "var(--right)",
    "input_placeholder_color": "var(--quiet)",
    "input_shadow_focus": "none",
    "link_text_color": "var(--link)",
    "loader_color": "var(--right)",
    "panel_background_fill": "transparent",
    "panel_border_width": "0",
    "shadow_drop": "none",
    "slider_color": "var(--right)",
    "stat_background_fill": "var(--right)",
}


def theme() -> Base:
    """Return Gradio's part of the looks; no font is fetched from anywhere."""
    base = Base(font=_FONT, font_mono=("ui-monospace", "monospace"), text_size="md", radius_size="md")
    known = signature(base.set).parameters
    # A value that names a variable is settled where it is written: in the dark it has to be written again.
    dark = {f"{part}_dark": value for part, value in _PARTS.items() if f"{part}_dark" in known}
    base.set(**_PARTS, **dark)
    return base


@cache
def style() -> str:
    """Return the studio's style sheet, with the colours of the viewer."""
    light, dark = (
        "".join(f"--{part.replace('_', '-')}:{code};" for part, code in palette.codes().items())
        for palette in (LIGHT, DARK)
    )
    sheet = (files("ictus.studio") / "studio.css").read_text("utf-8")
    return f":root{{{light}}}\n.dark{{{dark}}}\n{sheet}"
