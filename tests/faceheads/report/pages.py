"""Reading the pages back, as a browser would."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """The elements and the words of a page; words of scripts and styles are left out.

    Attributes
    ----------
    elements : list of (tag, attributes)
    words : str
    """

    def __init__(self, text):
        super().__init__()
        self.elements, self._words, self._open = [], [], []
        self.feed(text)
        self.words = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self._open):
            self._words.append(data)

    def tags(self):
        return {tag for tag, _ in self.elements}

    def sources(self):
        """Every address that an element names."""
        return [
            value for _, attributes in self.elements for name, value in attributes.items() if name in ("src", "href")
        ]
