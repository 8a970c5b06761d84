-- The file of a video, MP4 under an https URL, and how long it lasts, in milliseconds.
alter table bidding_creative add column video text;
alter table bidding_creative add column video_ms bigint not null default 0;
