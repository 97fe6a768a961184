"""What OpenAPI says of the service is what it does, whatever is sent that fits, or nearly fits."""

from collections import Counter
from typing import Any

import pytest

from deixis.testing import scripted
from tests.serving.conftest import Served

pytestmark = pytest.mark.slow
schemathesis = pytest.importorskip("schemathesis")
EXAMPLES = 20


# The thread of the server may draw from `random` while a case is made.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
def test_what_it_describes_is_what_it_does(served: Served) -> None:
    from hypothesis import HealthCheck, given, settings
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

    checks = [not_a_server_error, content_type_conformance, status_code_conformance]
    quick = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    came: Counter[int] = Counter()
    with scripted(lambda _: None):
        server = served()
        described = schemathesis.openapi.from_dict(server.client.get("/openapi.json").json())
        described.config.update(base_url=server.url)
        for result in described.get_all_operations():
            operation = result.ok()
            for mode in [*GenerationMode] if operation.body else [GenerationMode.POSITIVE]:

                @quick
                @given(case=operation.as_strategy(generation_mode=mode))
                def asked(case: Any) -> None:
                    answer = case.call(timeout=60)
                    came[answer.status_code] += 1
                    if answer.status_code != 504:  # which a sample may ask for
                        case.validate_response(answer, checks=checks)

                asked()
    assert came[200] and came[422] and not came[500], came
