"""Los códigos con que se lee un rechazo guardado."""

import pytest

from alpespartners.modulos.tracking.aplicacion.codigos import CODIGOS


@pytest.mark.parametrize(
    "motivo", ["demasiadas_propiedades", "timestamp_demasiado_antiguo", "timestamp_en_el_futuro"]
)
def test_un_rechazo_de_una_version_anterior_se_sigue_leyendo(motivo: str) -> None:
    assert CODIGOS[motivo] == motivo
