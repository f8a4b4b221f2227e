"""What is wrong with a text of YAML, in words."""

from ruamel.yaml.error import MarkedYAMLError


def yaml_mistake(error: Exception) -> str:
    """What is wrong and in which line, without the library's advice on its own settings.

    Args:
        error: of ruamel.yaml, or another one of whoever read the text.
    """
    if isinstance(error, MarkedYAMLError) and error.problem and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {' '.join(error.problem.split())}"
    return " ".join(str(error).split())
