"""What libraries and the system say of a failure, as part of a sentence."""


def reason_of(error: BaseException) -> str:
    """The first line of an error's message, without a full stop at its end; with the line after it where the
    first only announces it ("Error(s) in loading state_dict:"); the error's name where there is no message.
    Of what the system says, only its words ("No space left on device")."""
    message = getattr(error, "strerror", None) or str(error)
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    reason = ""
    for line in lines:
        reason = f"{reason} {line}".strip()
        if not reason.endswith(":"):
            break
    return reason.rstrip(".") or type(error).__name__
