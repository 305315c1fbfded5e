"""Un Apache Pulsar que exige TLS y token: el servicio entero con los suyos, y lo que dice con otros."""

import base64
import hmac
import json
import secrets
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.infraestructura.pulsar.revision import RevisorDelBroker
from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.pulsar_apache import servidor_apache
from tests.apoyo.servicio import instalacion

pytestmark = pytest.mark.servidores

SECRETO = secrets.token_bytes(32)
IDENTIFICACION = "org.apache.pulsar.client.impl.auth.AuthenticationToken"
PROVEEDOR = "org.apache.pulsar.broker.authentication.AuthenticationProviderToken"


@dataclass(frozen=True)
class Seguro:
    """Cómo se llega a él."""

    url: str
    admin: str
    certificado: Path


def token(papel: str, secreto: bytes = SECRETO) -> str:
    """Un JWT firmado con HMAC-SHA256 (RFC 7519 y RFC 7515)."""
    partes = [_en_base64(json.dumps(parte).encode()) for parte in ({"alg": "HS256"}, {"sub": papel})]
    firma = hmac.digest(secreto, ".".join(partes).encode(), "sha256")
    return ".".join([*partes, _en_base64(firma)])


def _en_base64(octetos: bytes) -> str:
    return base64.urlsafe_b64encode(octetos).rstrip(b"=").decode()


def _certificado(carpeta: Path, nombre: str) -> tuple[Path, Path]:
    certificado, clave = carpeta / f"{nombre}.crt", carpeta / f"{nombre}.key"
    subprocess.run(
        [  # noqa: S607 (el que haya instalado)
            "openssl",
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(clave), "-out", str(certificado)),
        ],
        check=True,
        capture_output=True,
    )
    return certificado, clave


@pytest.fixture(scope="module")
def seguro(tmp_path_factory: pytest.TempPathFactory) -> Generator[Seguro]:
    certificado, clave = _certificado(tmp_path_factory.mktemp("tls"), "broker")
    puerto, web = puerto_libre(), puerto_libre()
    with servidor_apache(
        token("admin"),
        brokerServicePortTls=str(puerto),
        webServicePortTls=str(web),
        tlsCertificateFilePath=str(certificado),
        tlsKeyFilePath=str(clave),
        tlsTrustCertsFilePath=str(certificado),
        authenticationEnabled="true",
        authenticationProviders=PROVEEDOR,
        tokenSecretKey=f"data:;base64,{base64.b64encode(SECRETO).decode()}",
        authorizationEnabled="true",
        superUserRoles="admin",
        brokerClientAuthenticationPlugin=IDENTIFICACION,
        brokerClientAuthenticationParameters=f"token:{token('admin')}",
    ) as servidor:
        servidor.administrar("POST", "namespaces/public/default/permissions/tracking", ["produce", "consume"])
        yield Seguro(f"pulsar+ssl://127.0.0.1:{puerto}", f"https://127.0.0.1:{web}", certificado)


def _ajustes(seguro: Seguro, **otros: str) -> dict[str, str]:
    return {
        "ALPES_PULSAR_URL": seguro.url,
        "ALPES_PULSAR_CA": str(seguro.certificado),
        "ALPES_PULSAR_TOKEN": token("tracking"),
        **otros,
    }


def test_con_su_token_y_su_autoridad_todo_funciona(seguro: Seguro, tmp_path: Path) -> None:
    ajustes = _ajustes(seguro, ALPES_PULSAR_ADMIN=seguro.admin)
    with instalacion(tmp_path, **ajustes) as servicio:
        procesos = [servicio.api(), servicio.consumidores()]
        servicio.esperar_consumidores()
        respuesta = servicio.http.post(
            "/tracking/impresiones", json={"campaña_id": "c"}, headers={"Prefer": "wait=10"}, timeout=30
        )
        assert respuesta.status_code == 201
        hasta(lambda: servicio.http.get("/tracking/balance").json()["bandeja_salida"]["pendientes"] == 0)
        assert all(ajustes["ALPES_PULSAR_TOKEN"] not in servicio.salida(proceso) for proceso in procesos)


@pytest.mark.parametrize("mal", ["token", "autoridad"])
def test_con_otros_no_acepta_nada_lo_dice_y_no_cuenta_el_token(
    seguro: Seguro, tmp_path: Path, mal: str
) -> None:
    if mal == "token":
        otros = {"ALPES_PULSAR_TOKEN": token("tracking", secrets.token_bytes(32))}
    else:
        otros = {"ALPES_PULSAR_CA": str(_certificado(tmp_path, "otra")[0])}
    ajustes = _ajustes(seguro, **otros)
    with instalacion(tmp_path, **ajustes, ALPES_LIMITE_CONFIRMACION="1") as servicio:
        api = servicio.api()
        hasta(lambda: "el broker no acepta al productor" in servicio.salida(api), 60)
        respuesta = servicio.http.post("/tracking/impresiones", json={"campaña_id": "c"})
        assert respuesta.status_code == 503
        assert servicio.http.get("/salud/lista").json()["broker"] == "no_disponible"
        salida = servicio.salida(api)
    assert ("revise ALPES_PULSAR_TOKEN" if mal == "token" else "revise ALPES_PULSAR_CA") in salida
    assert ajustes["ALPES_PULSAR_TOKEN"] not in salida


async def test_la_administracion_se_pregunta_con_el_mismo_token_y_la_misma_autoridad(
    seguro: Seguro, tmp_path: Path
) -> None:
    async def retencion(suyo: str | None, ca: Path) -> str:
        preguntado = RevisorDelBroker(seguro.admin, espacio="public/default", token=suyo, ca=ca)
        return (await preguntado.estado()).retencion

    assert await retencion(token("admin"), seguro.certificado) == "insuficiente"
    assert await retencion(None, seguro.certificado) == "desconocida"
    assert await retencion(token("admin", secrets.token_bytes(32)), seguro.certificado) == "desconocida"
    assert await retencion(token("admin"), _certificado(tmp_path, "otra")[0]) == "desconocida"
