"""What a person sees of a page: its figures and its words."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Collect the figures and the words of a page."""

    def __init__(self, text):
        super().__init__()
        self.figures, self.words = [], []
        self.feed(text)

    @property
    def text(self):
        return " ".join(self.words)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.figures.append(dict(attrs))

    def handle_data(self, data):
        self.words.append(data)
