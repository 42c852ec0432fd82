"""What the tests of this folder build by hand."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from domain.calls import Quality, Segment, Transcript, VoiceCheck, VoiceVerdict


def check(duration_s: float, *, stereo: bool = False) -> VoiceCheck:
    return VoiceCheck(verdict=VoiceVerdict.SPEECH, duration_s=duration_s, speech_s=1.0, stereo=stereo)


def transcript(*texts: str, timed: bool = True) -> Transcript:
    segments = tuple(Segment(start=i * 10.0, end=i * 10.0 + 9, text=text) for i, text in enumerate(texts))
    return Transcript(segments=segments, language="ru", model="m", timed=timed, duration_s=99.0, quality=Quality())


def self_signed() -> tuple[bytes, bytes]:
    """(certificate, key) in PEM for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return certificate.public_bytes(serialization.Encoding.PEM), secret
