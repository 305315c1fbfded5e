"""Los ajustes: lo que vale cada uno si falta, y la frase que detiene el arranque si no vale."""

from ipaddress import ip_network
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
    assert configuracion.espera_conexion == 75
    assert configuracion.pulsar_espacio == "public/default"
    assert configuracion.datos.is_absolute()


@pytest.mark.parametrize(
    ("variable", "texto", "campo", "valor"),
    [
        ("ALPES_DATOS", "/tmp/a b", "datos", Path("/tmp/a b")),  # noqa: S108 (solo se lee)
        ("ALPES_PUERTO", "0", "puerto", 0),
        ("ALPES_PROCESOS", "", "procesos", 1),
        ("ALPES_PROCESOS", "64", "procesos", 64),
        ("ALPES_CLAVES_API", " una , dos,", "claves_api", ("una", "dos")),
        (
            "ALPES_ESQUEMAS_AJENOS",
            "0123456789abcdef, 0123456789ABCDE0",
            "esquemas_ajenos",
            ("0123456789abcdef", "0123456789abcde0"),
        ),
        ("ALPES_NOMBRES", "a.co, B_1.co,", "nombres", ("a.co", "B_1.co")),
        ("ALPES_NOMBRES", "192.0.2.1,[FD00::1],intranet", "nombres", ("192.0.2.1", "[FD00::1]", "intranet")),
        ("ALPES_SIN_CLAVE", "1", "sin_clave", True),
        ("ALPES_LIMITE_CONFIRMACION", "0.5", "limite_confirmacion", 0.5),
        ("ALPES_ESPERA_CONEXION", "1", "espera_conexion", 1),
        ("ALPES_ESPERA_CONEXION", "3600", "espera_conexion", 3600),
        (
            "ALPES_PROXIES_DE_CONFIANZA",
            "10.0.0.0/8, fd00::1",
            "proxies_de_confianza",
            (ip_network("10.0.0.0/8"), ip_network("fd00::1/128")),
        ),
        ("ALPES_DIRECCIONES", "recortada", "direcciones", "recortada"),
        ("ALPES_SECRETO_DE_DIRECCIONES", "s" * 32, "secreto_de_direcciones", "s" * 32),
        ("ALPES_LIMITE_POR_DIRECCION", "", "limite_por_direccion", 50),
        ("ALPES_LIMITE_POR_DIRECCION", "0", "limite_por_direccion", 0),
        ("ALPES_REGISTRO", "debug", "registro", "DEBUG"),
        ("ALPES_DIAS_RECHAZADOS", "", "dias_rechazados", 90),
        ("ALPES_PAISES", __file__, "paises", Path(__file__)),
        ("ALPES_DIAS_RECHAZADOS", "7", "dias_rechazados", 7),
        ("ALPES_DIAS_DE_CLIC", "", "dias_de_clic", 30),
        ("ALPES_DIAS_DE_CLIC", "90", "dias_de_clic", 90),
        ("ALPES_SECRETO_DE_ENLACES", "", "secreto_de_enlaces", ()),
        (
            "ALPES_SECRETO_DE_ENLACES",
            "0123456789abcdef , ñandú de dieciséis",
            "secreto_de_enlaces",
            ("0123456789abcdef", "ñandú de dieciséis"),
        ),
        (
            "ALPES_SECRETO_DE_ENLACES",
            "0123456789abcdef,sin_guardado",
            "secreto_de_enlaces",
            ("0123456789abcdef", "sin_guardado"),
        ),
        ("ALPES_PULSAR_URL", "pulsar+ssl://a:6651", "pulsar_url", "pulsar+ssl://a:6651"),
        ("ALPES_PULSAR_URL", "pulsar://a:6650,b:6650/", "pulsar_url", "pulsar://a:6650,b:6650/"),
        ("ALPES_PULSAR_EPOCA", "0a3c8f52-9d0e-4a55-8c55-0d3b8c7a1f10", "pulsar_epoca", None),
        ("ALPES_PUERTO", "", "puerto", 8000),
        ("ALPES_PUERTO", "65535", "puerto", 65_535),
        ("ALPES_SIN_CLAVE", "0", "sin_clave", False),
        ("ALPES_LIMITE_CONFIRMACION", "60", "limite_confirmacion", 60.0),
        ("ALPES_PULSAR_ESPACIO", "pagos/pruebas", "pulsar_espacio", "pagos/pruebas"),
        ("ALPES_PULSAR_ADMIN", "http://a:8080", "pulsar_admin", "http://a:8080"),
        ("ALPES_PULSAR_ADMIN", "https://a/", "pulsar_admin", "https://a/"),
        ("ALPES_METRICAS_CONSUMIDOR", "127.0.0.1:9101", "metricas_consumidor", ("127.0.0.1", 9101)),
        ("ALPES_METRICAS_CONSUMIDOR", "[::1]:9101", "metricas_consumidor", ("::1", 9101)),
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
        ("ALPES_PUERTO", "80_80"),
        ("ALPES_PUERTO", "+80"),
        ("ALPES_PUERTO", "-0"),
        ("ALPES_PUERTO", "\u0668\u0660"),
        ("ALPES_PROCESOS", "0"),
        ("ALPES_PROCESOS", "65"),
        ("ALPES_PROCESOS", "dos"),
        ("ALPES_PROCESOS", "+2"),
        ("ALPES_PROCESOS", "\u0662"),
        ("ALPES_CLAVES_API", ","),
        ("ALPES_CLAVES_API", "secreto\totro"),
        ("ALPES_ESQUEMAS_AJENOS", "0123456789abcde"),
        ("ALPES_ESQUEMAS_AJENOS", "0123456789abcdeg"),
        ("ALPES_NOMBRES", ", ,"),
        ("ALPES_NOMBRES", "a.co,a.co:8235"),
        ("ALPES_NOMBRES", "http://a.co"),
        ("ALPES_NOMBRES", "*.a.co"),
        ("ALPES_NOMBRES", "a.co."),
        ("ALPES_NOMBRES", "a.co b.co"),
        ("ALPES_NOMBRES", "fd00::1"),
        ("ALPES_NOMBRES", "caña.co"),
        ("ALPES_SIN_CLAVE", "sí"),
        ("ALPES_LIMITE_CONFIRMACION", "0"),
        ("ALPES_LIMITE_CONFIRMACION", "nan"),
        ("ALPES_LIMITE_CONFIRMACION", "61"),
        ("ALPES_LIMITE_CONFIRMACION", "1_0"),
        ("ALPES_LIMITE_CONFIRMACION", "\u0665"),
        ("ALPES_ESPERA_CONEXION", "0"),
        ("ALPES_ESPERA_CONEXION", "3601"),
        ("ALPES_ESPERA_CONEXION", "7.5"),
        ("ALPES_ESPERA_CONEXION", "\u0667"),
        ("ALPES_PROXIES_DE_CONFIANZA", "10.0.0.0/8,10.0.0.1/8"),
        ("ALPES_PROXIES_DE_CONFIANZA", "0.0.0.0/0"),
        ("ALPES_PROXIES_DE_CONFIANZA", "10.0.0.1,::/0"),
        ("ALPES_PROXIES_DE_CONFIANZA", "secreto.example"),
        ("ALPES_PROXIES_DE_CONFIANZA", ",".join(f"10.0.{n}.0/24" for n in range(256)) + ",10.1.0.0/24"),
        ("ALPES_DIRECCIONES", "secreto"),
        ("ALPES_SECRETO_DE_DIRECCIONES", "secreto"),
        ("ALPES_LIMITE_POR_DIRECCION", "-1"),
        ("ALPES_LIMITE_POR_DIRECCION", "1000001"),
        ("ALPES_REGISTRO", "TODO"),
        ("ALPES_DIAS_RECHAZADOS", "0"),
        ("ALPES_DIAS_DE_CLIC", "0"),
        ("ALPES_DIAS_DE_CLIC", "36501"),
        ("ALPES_SECRETO_DE_ENLACES", ","),
        ("ALPES_SECRETO_DE_ENLACES", "0123456789abcde"),
        ("ALPES_SECRETO_DE_ENLACES", "0123456789abcdef,corto"),
        ("ALPES_SECRETO_DE_ENLACES", "sin_guardado"),
        ("ALPES_SECRETO_DE_ENLACES", "sin_guardado,0123456789abcdef"),
        ("ALPES_PAISES", "/no/existe.mmdb"),
        ("ALPES_DIAS_RECHAZADOS", "-1"),
        ("ALPES_DIAS_RECHAZADOS", "36501"),
        ("ALPES_DIAS_RECHAZADOS", "9" * 5_000),
        ("ALPES_DIAS_RECHAZADOS", "\u0669"),
        ("ALPES_PULSAR_URL", "http://usuario:secreto@a"),
        ("ALPES_PULSAR_URL", "pulsar://"),
        ("ALPES_PULSAR_URL", "pulsar://usuario:secreto@a:6650"),
        ("ALPES_PULSAR_URL", "pulsar://a:70000"),
        ("ALPES_PULSAR_URL", "pulsar://a:6650/b"),
        ("ALPES_PULSAR_URL", "pulsar://a:6650?b=1"),
        ("ALPES_PULSAR_URL", "pulsar://a:6650,b:0"),
        ("ALPES_PULSAR_URL", "http://a:6650"),
        ("ALPES_PULSAR_ESPACIO", "public"),
        ("ALPES_PULSAR_CA", "/no/existe"),
        ("ALPES_PULSAR_EPOCA", "ayer"),
        ("ALPES_BASE_DATOS", "mysql://usuario:secreto@a/b"),
        ("ALPES_BASE_DATOS", "postgresql:secreto"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:secr/secreto@a/b"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:12/secreto@a/b"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:12?secreto@a/b"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:12#secreto@a/b"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:secreto[@a/b"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:secreto℀@a/b"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:secreto@a:70000/b"),
        ("ALPES_BASE_DATOS", "postgresql://usuario:secreto@a:5432,b:0/c"),
        ("ALPES_PULSAR_ADMIN", "pulsar://a:8080"),
        ("ALPES_PULSAR_ADMIN", "http://usuario:secreto@a:8080"),
        ("ALPES_PULSAR_ADMIN", "http://a:8080/admin"),
        ("ALPES_PULSAR_ADMIN", "http://a:8080/?b=1"),
        ("ALPES_PULSAR_ADMIN", "http://a:8080/#b"),
        ("ALPES_PULSAR_ADMIN", "http://a:0"),
        ("ALPES_PULSAR_ADMIN", "http://:8080"),
        ("ALPES_METRICAS_CONSUMIDOR", "9101"),
        ("ALPES_METRICAS_CONSUMIDOR", "127.0.0.1"),
        ("ALPES_METRICAS_CONSUMIDOR", ":9101"),
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


def test_el_certificado_de_quien_firma_es_un_fichero_que_existe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificado = tmp_path / "ca.pem"
    certificado.touch()
    monkeypatch.setenv("ALPES_PULSAR_CA", str(certificado))
    assert Configuracion().pulsar_ca == certificado


def test_los_secretos_no_salen_en_la_representacion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_CLAVES_API", "secreto")
    monkeypatch.setenv("ALPES_PULSAR_TOKEN", "secreto")
    monkeypatch.setenv("ALPES_BASE_DATOS", "postgresql://usuario:secreto@a/b")
    monkeypatch.setenv("ALPES_SECRETO_DE_DIRECCIONES", "un secreto que nadie más conoce ni adivina")
    assert "secreto " not in repr(Configuracion())
    assert "'secreto'" not in repr(Configuracion())
    assert "secreto@" not in repr(Configuracion())


def test_resumir_las_direcciones_sin_secreto_detiene_el_arranque(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_DIRECCIONES", "resumida")
    with pytest.raises(ErrorDeArranque) as error:
        Configuracion()
    assert error.value.frase == "ALPES_DIRECCIONES=resumida necesita ALPES_SECRETO_DE_DIRECCIONES."
    monkeypatch.setenv("ALPES_SECRETO_DE_DIRECCIONES", "s" * 32)
    assert Configuracion().direcciones == "resumida"


@pytest.mark.parametrize(
    ("url", "lugar"),
    [
        ("postgresql://usuario:secreto@a:5433/b", "postgresql://a:5433/b"),
        ("postgresql://usuario:secreto%2F%40@[::1]/b?sslmode=require", "postgresql://[::1]/b"),
        ("postgresql://usuario:secreto@a:1,b:2/c", "postgresql://a:1,b:2/c"),
        ("postgresql:///b?host=/tmp", "postgresql:///b"),
        ("postgresql://a/b?user=ana@acme&password=secreto", "postgresql://a/b"),
    ],
)
def test_donde_esta_la_base_de_datos_se_dice_sin_usuario_ni_contraseña(
    monkeypatch: pytest.MonkeyPatch, url: str, lugar: str
) -> None:
    monkeypatch.setenv("ALPES_BASE_DATOS", url)
    assert Configuracion().lugar == lugar


def test_sin_postgresql_la_base_de_datos_esta_en_su_carpeta() -> None:
    configuracion = Configuracion()
    assert configuracion.lugar == str(configuracion.datos)


def test_una_variable_mal_escrita_se_nota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_PUERT0", "8001")
    monkeypatch.setenv("ALPES_ZZZ\x1b", "secreto")
    # Solo tiene en común con los ajustes el prefijo: proponer uno sería engañar.
    monkeypatch.setenv("ALPES_DATABASE_URL", "postgresql://…")
    assert Configuracion().avisos() == [
        "ALPES_DATABASE_URL no es un ajuste y no hace nada.",
        "ALPES_PUERT0 no es un ajuste y no hace nada. ¿Quiso decir ALPES_PUERTO?",
        "'ALPES_ZZZ\\x1b' no es un ajuste y no hace nada.",
    ]


def test_no_se_avisa_de_la_variable_que_entienden_las_pruebas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_EXIGIR_TODO", "1")
    assert Configuracion().avisos() == []


def test_las_variables_del_contrato_que_existen_se_conocen(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ALPES_DATOS", "ALPES_PUERTO", "ALPES_NOMBRES", "ALPES_REGISTRO"):
        monkeypatch.setenv(variable, "")
        assert Configuracion().avisos() == []
