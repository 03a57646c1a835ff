"""From a figure on a screen back to the rows it was made of, and a proof of it that can be handed on."""
