"""What the tracking API takes and answers, from the table of rules: OpenAPI 3.1, and a page of the docs."""
