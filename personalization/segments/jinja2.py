"""``{% segment "cat_owners" %}…{% else %}…{% endsegment %}`` for Jinja2, and ``in_segment("cat_owners")``."""

from __future__ import annotations

from jinja2 import Environment, nodes, pass_context
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from personalization.segments import queries


@pass_context
def in_segment(context: Context, *identifiers: str) -> bool:
    """Whether the visitor is in any of these segments."""
    return not queries.of_request(context["request"]).identifiers.isdisjoint(identifiers)


class SegmentExtension(Extension):
    tags = {"segment"}  # noqa: RUF012 - as the class above has it

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["in_segment"] = in_segment

    def parse(self, parser: Parser) -> nodes.Node:
        """An ``if`` over the arguments of the tag."""
        line = next(parser.stream).lineno
        arguments = [parser.parse_expression()]
        while parser.stream.skip_if("comma"):
            arguments.append(parser.parse_expression())
        test = nodes.Call(nodes.Name("in_segment", "load"), arguments, [], None, None, lineno=line)
        body = parser.parse_statements(("name:else", "name:endsegment"))
        otherwise: list[nodes.Node] = []
        if next(parser.stream).value == "else":
            otherwise = parser.parse_statements(("name:endsegment",), drop_needle=True)
        return nodes.If(test, body, [], otherwise, lineno=line)
