"""What the stand-in answers when it says no, in Cosmos DB's shape."""


class Refusal(Exception):
    """An error answer: Cosmos DB's status, sub-status, code and message."""

    def __init__(self, status: int, code: str, message: str, sub_status: int = 0) -> None:
        self.status = status
        self.sub_status = sub_status
        self.body = {"code": code, "message": message}


def bad_request(message: str, sub_status: int = 0) -> Refusal:
    """The request is wrong, for Cosmos DB too."""
    return Refusal(400, "BadRequest", message, sub_status)


def not_spoken(what: str) -> Refusal:
    """Cosmos DB may know it; the stand-in does not, and guesses nothing."""
    return bad_request(f"The local Cosmos stand-in does not speak {what}.")


def too_large() -> Refusal:
    """The request, or a document in it, is over 2 MB."""
    return Refusal(413, "RequestEntityTooLarge", "Request size is too large.")
