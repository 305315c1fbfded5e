"""De una excepción a un problema."""

import json

from alpespartners.api.http.problemas import error_de
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Fallo


def test_un_nombre_con_sustitutos_sueltos_no_rompe_la_respuesta() -> None:
    fallo = Fallo("a\ud800" * 200, Codigo.SUSTITUTO_SUELTO, "contiene un carácter sustituto suelto")
    respuesta = error_de(DatosInvalidos([fallo])).respuesta()
    (error,) = json.loads(bytes(respuesta.body))["errores"]
    assert error["campo"].startswith("a\\ud800a")
    assert len(error["campo"]) < 500


def test_una_excepcion_cualquiera_no_cuenta_su_mensaje() -> None:
    error = error_de(RuntimeError("contraseña"))
    assert error.estado == 500
    assert "contraseña" not in error.problema.detail
