"""«Итоги»: the text a press office starts from, each number with a footnote that says what it is and may be trusted."""
