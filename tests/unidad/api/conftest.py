"""Un cliente HTTP que habla con la API en el mismo proceso, sin abrir ningún socket."""

from collections.abc import AsyncGenerator

import httpx2
import pytest

from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos)) as abierto:
        yield abierto
