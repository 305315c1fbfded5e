"""Los ajustes: lo que vale cada uno si falta, y la frase que detiene el arranque si no vale."""

from pathlib import Path
from uuid import UUID

import pytest

from alpespartners.config import Configuracion
from alpespartners.seedwork.arranque import ErrorDeArranque


def test_sin_nada_en_el_entorno_se_escucha_solo_en_esta_maquina_con_lo_embebido() -> None:
    configuracion = Configuracion()
    assert (configuracion.anfitrion, configuracion.puerto) == ("127.0.0.1", 8000)
    assert (configuracion.pulsar_url, configuracion.base_datos) == (None, None)
    assert (configuracion.claves_api, configuracion.sin_clave, configuracion.nombres) == ((), False, ())
    assert (configuracion.limite_confirmacion, configuracion.registro) == (5.0, "INFO")
    assert configuracion.pulsar_espacio == "public/default"
    assert configuracion.datos.is_absolute()


@pytest.mark.parametrize(
    ("variable", "texto", "campo", "valor"),
    [
        ("ALPES_DATOS", "/tmp/a b", "datos", Path("/tmp/a b")),  # noqa: S108 (solo se lee)
        ("ALPES_PUERTO", "0", "puerto", 0),
        ("ALPES_CLAVES_API", " una , dos,", "claves_api", ("una", "dos")),
        ("ALPES_NOMBRES", "a.co,b.co", "nombres", ("a.co", "b.co")),
        ("ALPES_SIN_CLAVE", "1", "sin_clave", True),
        ("ALPES_LIMITE_CONFIRMACION", "0.5", "limite_confirmacion", 0.5),
        ("ALPES_REGISTRO", "debug", "registro", "DEBUG"),
        ("ALPES_PULSAR_URL", "pulsar+ssl://a:6651", "pulsar_url", "pulsar+ssl://a:6651"),
        ("ALPES_PULSAR_URL", "pulsar://a:6650,b:6650/", "pulsar_url", "pulsar://a:6650,b:6650/"),
        ("ALPES_PULSAR_EPOCA", "0a3c8f52-9d0e-4a55-8c55-0d3b8c7a1f10", "pulsar_epoca", None),
        ("ALPES_PUERTO", "", "puerto", 8000),
    ],
)
def test_cada_variable_se_lee_y_vacia_vale_ausente(
    monkeypatch: pytest.MonkeyPatch, variable: str, texto: str, campo: str, valor: object
) -> None:
    monkeypatch.setenv(variable, texto)
    leido = getattr(Configuracion(), campo)
    assert leido == (valor if valor is not None else UUID(texto))


@pytest.mark.parametrize(
    ("variable", "texto"),
    [
        ("ALPES_PUERTO", "65536"),
        ("ALPES_PUERTO", "ocho mil"),
        ("ALPES_SIN_CLAVE", "sí"),
        ("ALPES_LIMITE_CONFIRMACION", "0"),
        ("ALPES_LIMITE_CONFIRMACION", "nan"),
        ("ALPES_LIMITE_CONFIRMACION", "61"),
        ("ALPES_REGISTRO", "TODO"),
        ("ALPES_PULSAR_URL", "http://usuario:secreto@a"),
        ("ALPES_PULSAR_URL", "pulsar://"),
        ("ALPES_PULSAR_URL", "pulsar://usuario:secreto@a:6650"),
        ("ALPES_PULSAR_URL", "pulsar://a:70000"),
        ("ALPES_PULSAR_URL", "pulsar://a:6650/b"),
        ("ALPES_PULSAR_ESPACIO", "public"),
        ("ALPES_PULSAR_CA", "/no/existe"),
        ("ALPES_PULSAR_EPOCA", "ayer"),
        ("ALPES_BASE_DATOS", "mysql://usuario:secreto@a/b"),
        ("ALPES_BASE_DATOS", "postgresql:secreto"),
        ("ALPES_PULSAR_ADMIN", "pulsar://a:8080"),
        ("ALPES_PULSAR_ADMIN", "http://usuario:secreto@a:8080"),
        ("ALPES_PULSAR_ADMIN", "http://a:8080/admin"),
        ("ALPES_METRICAS_CONSUMIDOR", "9101"),
        ("ALPES_METRICAS_CONSUMIDOR", "127.0.0.1"),
        ("ALPES_METRICAS_CONSUMIDOR", "127.0.0.1:99999"),
        ("ALPES_METRICAS_CONSUMIDOR", "secreto@127.0.0.1:9101"),
        ("ALPES_METRICAS_CONSUMIDOR", "127.0.0.1:9101/metricas"),
    ],
)
def test_un_valor_que_no_vale_detiene_el_arranque_con_una_frase_que_lo_nombra_y_no_lo_repite(
    monkeypatch: pytest.MonkeyPatch, variable: str, texto: str
) -> None:
    monkeypatch.setenv(variable, texto)
    with pytest.raises(ErrorDeArranque) as error:
        Configuracion()
    assert error.value.frase.startswith(f"{variable} no vale: debe ser ")
    assert "secreto" not in error.value.frase


def test_los_secretos_no_salen_en_la_representacion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_CLAVES_API", "secreto")
    monkeypatch.setenv("ALPES_PULSAR_TOKEN", "secreto")
    monkeypatch.setenv("ALPES_BASE_DATOS", "postgresql://usuario:secreto@a/b")
    assert "secreto" not in repr(Configuracion())


def test_una_variable_mal_escrita_se_nota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_PUERT0", "8001")
    assert "ALPES_PUERT0" in Configuracion().desconocidas()


def test_las_variables_del_contrato_que_existen_se_conocen(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ALPES_DATOS", "ALPES_PUERTO", "ALPES_NOMBRES", "ALPES_REGISTRO"):
        monkeypatch.setenv(variable, "")
        assert variable not in Configuracion().desconocidas()
