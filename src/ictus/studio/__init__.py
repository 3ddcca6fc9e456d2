"""The studio: a page in the browser that conducts, dances and plays. Needs Gradio (`pip install "ictus[studio]"`)."""
