import { serveRequests } from '../../common/boundedThread';
import { matchAll } from './loraPatterns';

serveRequests(matchAll);
