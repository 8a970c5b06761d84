-- The ids of the keys that the snapshot is signed with, so that every gateway gets another one after a rotation.
alter table doors_gateway add column keys text not null default '';
