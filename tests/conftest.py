"""What all tests share: properties are about results, never about how long a busy machine takes to come to them."""

from hypothesis import settings

settings.register_profile("lookout", deadline=None)
settings.load_profile("lookout")
