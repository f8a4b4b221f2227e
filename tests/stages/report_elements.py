"""A page of the report as tests read it."""

from html.parser import HTMLParser


class Elements(HTMLParser):
    """The elements of a page in order, (tag, attributes), and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def having(self, attribute: str) -> list[dict]:
        return [attributes for _, attributes in self.found if attribute in attributes]
