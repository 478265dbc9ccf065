"""The FHIR room: a document in (DocumentReference, Composition, Bundle), a Bundle with the coding out.

`attachments` needs nothing beyond the package and serves the batch reader too; the rest writes with the extra `fhir`.
"""
