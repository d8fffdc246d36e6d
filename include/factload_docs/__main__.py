"""Write every made part of docs/ anew; says which files changed."""

from __future__ import annotations

from factload_docs.pages import made_files

for path, text in made_files().items():
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: made anew")
