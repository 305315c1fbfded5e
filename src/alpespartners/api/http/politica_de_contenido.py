"""La política de contenido de una página (CSP 3): qué puede cargar, enviar y ejecutar.

Por qué existe: lo que una página enseña puede haberlo escrito cualquiera, y aun así no debe poder hacer nada.
"""


def politica_de_contenido(*permisos: str, formularios: bool = False) -> dict[str, str]:
    """La cabecera que prohíbe a una página cargar, enviar o ejecutar nada que no se diga en `permisos`.

    Con `formularios`, puede además enviarlos a este servicio.
    """
    directivas = (
        "default-src 'none'",
        *permisos,
        "base-uri 'none'",
        "form-action 'self'" if formularios else "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {"Content-Security-Policy": "; ".join(directivas)}
