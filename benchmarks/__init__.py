"""Every speed figure of the README: one command each, one `name value unit` line a figure."""
