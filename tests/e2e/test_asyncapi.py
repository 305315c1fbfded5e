"""La descripción AsyncAPI que sirve la API, leída por el lector oficial: sin errores ni avisos.

El lector se instala, con sus versiones bloqueadas, en `.venv/clientes`; otra vez, si cambian.
"""

import json
import shutil
from pathlib import Path

import httpx2
import pytest

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from tests.apoyo.instalados import ejecutar, paquetes_de_npm
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servidor import servidor

pytestmark = [
    pytest.mark.servidores,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("npm") is None, reason="faltan Node.js y npm (paquetes nodejs y npm)"),
]

_APOYO = RAIZ / "tests" / "apoyo" / "asyncapi"
_ERROR, _AVISO = 0, 1
"""Las gravedades del lector; lo demás son sugerencias, como que hay un AsyncAPI posterior al 3.0."""


def test_el_lector_oficial_lee_lo_que_la_api_sirve_sin_un_error_ni_un_aviso(tmp_path: Path) -> None:
    paquetes = paquetes_de_npm(_APOYO, "asyncapi")
    shutil.copy(_APOYO / "revisar.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(paquetes)
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        servida = httpx2.get(f"http://127.0.0.1:{puerto}/asyncapi.json", trust_env=False)
    (tmp_path / "asyncapi.json").write_bytes(servida.content)

    dicho = json.loads(ejecutar(["node", "revisar.mjs", "asyncapi.json"], tmp_path))
    assert [queja for queja in dicho["dicho"] if queja["gravedad"] in {_ERROR, _AVISO}] == []
    assert set(dicho["mensajes"]) == {
        *(f"Comando{clase.comando.__name__}" for clase in CLASES),
        *(f"CartaComando{clase.comando.__name__}" for clase in CLASES),
        *(f"Evento{clase.evento.__name__}" for clase in CLASES),
    }
